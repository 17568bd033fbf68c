package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"go.uber.org/zap"
)

// File sends a file of FLV, Matroska, MP4 or MPEG-TS at the pace of its timestamps, as if it were live.
type File struct {
	Path string
	From io.ReadSeeker // read in the place of Path, which then is a name only; may be nil
	Loop bool          // begin again at the end, without a jump in the timestamps
	Open Opener
	Log  *zap.Logger // nil for none
}

// Run sends the file until its end, or until ctx ends, and then returns nil. What
// is wrong with the file is an error: [*flv.NotFLVError] among others, and those of packages mkv, mp4, mpegts and sample.
func (f *File) Run(ctx context.Context) error {
	from := f.From
	if from == nil {
		file, err := os.Open(f.Path)
		if err != nil {
			return err
		}
		defer file.Close()
		from = file
	}
	in := newOrigin(f.Path, 0, f.Log)
	r := in.read(from)
	tag, err := r.Next() // before a session is opened for nothing
	if err != nil {
		return fmt.Errorf("%s: %w", f.Path, noEOF(err))
	}
	session, err := f.Open()
	if err != nil {
		return err
	}
	defer session.Close()
	var pace pacer
	for {
		for err == nil {
			if pace.wait(ctx, tag) != nil {
				return nil
			}
			if err := session.Write(tag); err != nil {
				return err
			}
			tag, err = r.Next()
		}
		if errors.Is(err, io.ErrUnexpectedEOF) {
			logger(f.Log).Warn("the file ends in the middle of a tag", zap.String("file", f.Path))
		} else if err != io.EOF {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
		if !f.Loop || ctx.Err() != nil {
			return nil
		}
		if _, err := from.Seek(0, io.SeekStart); err != nil {
			return fmt.Errorf("repeat %s: %w", f.Path, err)
		}
		r = in.read(from)
		session.Restart()
		pace.timeline.Restart()
		if tag, err = r.Next(); err != nil {
			return fmt.Errorf("repeat %s: %w", f.Path, noEOF(err))
		}
	}
}

// noEOF gives the end of an input without a single tag a name.
func noEOF(err error) error {
	if err == io.EOF {
		return errNoTags
	}
	return err
}

var errNoTags = errors.New("it holds no tags")
