package mkv

import "errors"

// ErrNoTracks says that nothing tells what the blocks are of: the beginning is missing.
var ErrNoTracks = errors.New("the Matroska does not say what is in it")

// ErrNothing says that a stream has ended without a frame that could be sent.
var ErrNothing = errors.New("the Matroska has no picture to start at and no sound")

// ErrEncrypted says that the frames are encrypted.
var ErrEncrypted = errors.New("the Matroska is encrypted")

// ErrLost says that what began as Matroska goes on as something else.
var ErrLost = errors.New("the Matroska ends in something else")
