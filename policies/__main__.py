"""The pack that `pulumi preview --policy-pack policies` runs: all rules there are. It serves, and never returns."""

from pulumi_policy import PolicyPack

from edgewright.policies.pack import policies

PolicyPack("edgewright", policies())
