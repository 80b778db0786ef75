"""What an encoder is worth: published protocols on frozen features, and on the encoder itself."""
