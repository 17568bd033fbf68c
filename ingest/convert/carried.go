package convert

import "errors"

// ErrNotCarried is what every error unwraps to that refuses a stream because of its codecs alone: one
// who can encode anew can bring it in.
var ErrNotCarried = errors.New("the codec is not carried")
