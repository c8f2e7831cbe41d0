"""What each target's artifact does with each field of a spec, read from the artifact and compared with the meaning."""
