"""Case material per cluster: what a reviewer reads and an appeal rests on (R60), as JSON and as a page."""
