"""What a run is measured by: scores of images, what G_K reads, gradients, people's answers, and what it took."""
