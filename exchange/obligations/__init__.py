"""What is owed after sharing: states, holds, notices, acknowledgements."""
