"""What the media engines are started with; Kamailio's configuration is the edge's own."""
