"""The Azure target: pure compilers (`compile_*`), and components that only place what was compiled."""
