"""The console in a browser: pages for those who hold the token, and a terminal for each tab."""
