"""C2GAN: keypoint-guided image generation (Tang et al., ACM MM 2019)."""
