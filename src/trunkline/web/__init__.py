"""What all web pages stand on: sign-in, who may see what, components, and the frame around each page."""
