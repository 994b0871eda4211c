"""What views show, worked out without a screen."""
