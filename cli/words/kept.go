package words

import (
	"errors"
	"io/fs"
	"syscall"

	"relay/cli/fault"
	"relay/relay/archive"
)

// NotKept says why a channel is not kept on disk, and what helps. err is that of [archive.Open], or of
// [archive.Archive.Run] where keeping had begun.
func NotKept(begun bool, err error) (say, hint string) {
	say = "The channel cannot be kept on disk: "
	if begun {
		say = "Nothing more is kept on disk: "
	}
	switch {
	case errors.Is(err, archive.ErrInUse):
		return say + fault.Plain(err) + ".", "give one of them another --config folder"
	case errors.Is(err, syscall.ENOSPC):
		return say + "the disk is full.", "the stream goes on, and what is kept can be watched. Make room, or give --keep a size, as in 2h,8GB, and start again"
	case errors.Is(err, fs.ErrPermission):
		return say + "its folder, kept in the --config folder, must not be written to.", "give this user the folder"
	case errors.Is(err, syscall.EROFS):
		return say + "the disk cannot be written to.", "give a --config folder elsewhere"
	}
	return say + fault.Plain(err) + ".", "the stream goes on, and what is kept already can be watched"
}
