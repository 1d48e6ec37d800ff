"""The tests; a package, because some installed distributions bring a package of that name."""
