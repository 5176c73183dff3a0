"""Documents become blocks, blocks passages, and passages what a question finds."""
