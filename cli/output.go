package cli

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"relay/cli/term"
	"relay/playback"
)

// output is where relay watch writes the stream, beside the players.
type output struct {
	file   *os.File
	stdout bool // file is that, and somebody reads it
	start  playback.Start
	suffix string // of the format
}

// recordable are the formats that --record takes, by the end of the file's name.
var recordable = []string{".flv", ".mp4", ".ts"}

// openOutputs reads -o and --record.
func openOutputs(c *cli.Context, stdio Stdio) (outputs []output, err error) {
	defer func() {
		if err != nil {
			for _, o := range outputs {
				if !o.stdout {
					o.file.Close()
				}
			}
		}
	}()
	start, err := playback.ParseStart(c.String("start"))
	if err != nil {
		return nil, usage("", "--start: %w", err)
	}
	if path := c.String("output"); path == "-" {
		f, ok := stdio.Out.(*os.File)
		if !ok || term.IsTTY(f) {
			return nil, usage("redirect it: relay watch LINK -o - | mpv -", "-o - would write video to the terminal")
		}
		outputs = append(outputs, output{file: f, stdout: true, start: start})
	} else if path != "" {
		if !c.IsSet("start") {
			start = playback.GOP // a recording is what was sent
		}
		o, err := create(path, ".flv", start)
		if err != nil {
			return outputs, err
		}
		outputs = append(outputs, o)
	}
	if path := c.String("record"); path != "" {
		suffix := ""
		for _, s := range recordable {
			if strings.EqualFold(filepath.Ext(path), s) {
				suffix = s
			}
		}
		if suffix == "" {
			return outputs, usage("name it as in evening.mp4 or evening.flv", "--record %s: the name must end in %s", path, term.SpeltOr(recordable))
		}
		o, err := create(path, suffix, playback.GOP)
		if err != nil {
			return outputs, err
		}
		outputs = append(outputs, o)
	}
	return outputs, nil
}

func create(path, suffix string, start playback.Start) (output, error) {
	f, err := os.Create(path)
	if err != nil {
		return output{}, fail("is the folder there, and may you write to it?", "cannot record: %w", err)
	}
	return output{file: f, start: start, suffix: suffix}, nil
}

// pipes reports whether standard output carries the stream.
func (w *watch) pipes() bool {
	for _, o := range w.outputs {
		if o.stdout {
			return true
		}
	}
	return false
}

// record writes the stream to an output. A pipe that nobody reads any more ends the
// command; a disk that is full ends the recording only, since others may be watching
// through this node. A write that blocks does not hold up the end.
func (w *watch) record(g group, o output) error {
	ended := make(chan error, 1)
	go func() { // ends with g.ctx, or the process
		var to io.Writer = o.file
		if o.stdout {
			to = struct{ io.Writer }{o.file} // what was there before is not ours to cut
		}
		ended <- playback.Recording{Ring: w.channel.Ring(), Start: o.start, Suffix: o.suffix}.Run(g.ctx, to)
	}()
	var err error
	select {
	case err = <-ended:
	case <-g.ctx.Done():
		select {
		case err = <-ended:
		case <-time.After(lastWrite):
		}
	}
	if o.stdout {
		g.stop()
		return err
	}
	if err = errors.Join(err, o.file.Close()); err != nil {
		w.t.Say("relay: error: the recording ends here: %v", err)
		w.t.Hint("what was recorded plays; the stream goes on, Ctrl-C ends it")
	}
	return nil
}
