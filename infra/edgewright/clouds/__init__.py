"""What the targets AWS and Azure share: how a component places resources, and how a table of capabilities is read."""
