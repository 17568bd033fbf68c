package mp4

import "errors"

// ErrFormat says that a file is not what MP4 should be.
var ErrFormat = errors.New("malformed MP4")

// ErrUnfinished says that a file has samples, but nothing that says where they are: what wrote it was
// ended before it came to that.
var ErrUnfinished = errors.New("the MP4 has no table of its pictures and sound, which are written last")

// ErrTableLast says that a stream has its tables behind the samples.
var ErrTableLast = errors.New("the MP4 has the table of its pictures and sound at its end, so that it cannot be read as a stream")

// ErrPiece says that what comes are fragments without their beginning.
var ErrPiece = errors.New("the MP4 begins in the middle: it is a piece of a stream")

// ErrNothing says that there is no sample that could be sent.
var ErrNothing = errors.New("the MP4 has no picture to start at and no sound")

// ErrEncrypted says that the samples are encrypted.
var ErrEncrypted = errors.New("the MP4 is encrypted")
