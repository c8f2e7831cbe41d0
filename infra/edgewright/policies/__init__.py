"""Guard rails: rules over resources' inputs, for CrossGuard packs and for plans. No Pulumi import outside of `pack`."""
