package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
	"relay/cli/term"
	"relay/cli/words"
	"relay/playback"
)

// output is where relay watch writes the stream, beside the players.
type output struct {
	path   string   // of the recording that was asked for; "" for standard output
	stdout *os.File // nil for a recording
	start  playback.Start
	suffix string // of the format
}

// recordable are the formats that --record takes, by the end of the file's name.
var recordable = []string{".flv", ".mp4", ".ts"}

// outputsOf reads -o and --record. It opens nothing.
func outputsOf(c *cli.Context, stdio Stdio) ([]output, error) {
	var outputs []output
	start, err := playback.ParseStart(c.String("start"))
	if err != nil {
		return nil, fault.Usage("", "--start: %w", err)
	}
	if path := c.String("output"); path == "-" {
		f, ok := stdio.Out.(*os.File)
		if !ok || term.IsTTY(f) {
			return nil, fault.Usage("redirect it: relay watch LINK -o - | mpv -", "-o - would write video to the terminal")
		}
		outputs = append(outputs, output{stdout: f, start: start})
	} else if path != "" {
		if !c.IsSet("start") {
			start = playback.GOP // a recording is what was sent
		}
		outputs = append(outputs, output{path: path, suffix: ".flv", start: start})
	}
	if path := c.String("record"); path != "" {
		suffix := ""
		for _, s := range recordable {
			if strings.EqualFold(filepath.Ext(path), s) {
				suffix = s
			}
		}
		if suffix == "" {
			return nil, fault.Usage("name it as in evening.mp4 or evening.flv", "--record %s: the name must end in %s", path, term.SpeltOr(recordable))
		}
		outputs = append(outputs, output{path: path, suffix: suffix, start: playback.GOP})
	}
	for _, o := range outputs {
		if o.stdout == nil {
			if err := checkRecording(o.path); err != nil {
				return nil, err
			}
		}
	}
	return outputs, nil
}

// pipes reports whether standard output carries the stream.
func (w *watch) pipes() bool {
	for _, o := range w.plan.outputs {
		if o.stdout != nil {
			return true
		}
	}
	return false
}

// write writes the stream to an output. A pipe that nobody reads any more ends the
// command; a disk that is full ends the recording only, since others may be watching
// through this node. A write that blocks does not hold up the end.
func (w *watch) write(g group, o output) error {
	if o.stdout != nil {
		err := w.copyTo(g.ctx, struct{ io.Writer }{o.stdout}, o) // what was there before is not ours to cut
		g.stop()
		return err
	}
	// A channel that never comes leaves no file behind.
	if _, err := w.channel.Ring().Cursor().Next(g.ctx); err != nil {
		return nil // it is over
	}
	f, err := createRecording(o.path)
	if err != nil {
		return err
	}
	if f.Name() != o.path {
		w.t.Say("Record  %s, for there is a file %s already", f.Name(), o.path)
	}
	if err := errors.Join(w.copyTo(g.ctx, f, o), f.Close()); err != nil {
		w.t.Say("relay: error: the recording ends here: %v", err)
		w.t.Hint("what was recorded plays; the stream goes on, Ctrl-C ends it")
	}
	return nil
}

// copyTo writes the stream until ctx ends, and then waits lastWrite at most for a write
// that blocks.
func (w *watch) copyTo(ctx context.Context, to io.Writer, o output) error {
	ended := make(chan error, 1)
	go func() { // ends with ctx, or the process
		ended <- playback.Recording{Ring: w.channel.Ring(), Start: o.start, Suffix: o.suffix}.Run(ctx, to)
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-ended:
		return err
	case <-time.After(words.LastWrite):
		return nil
	}
}
