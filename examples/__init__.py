"""Complete models, made of cyclekit's parts."""
