"""What a spec means: defaults applied, names bound, routes in order, every value with its origin."""
