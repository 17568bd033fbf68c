// Package sink is where relay watch sends the stream by itself: to standard output, to a
// recording, to a player that it starts. Other players connect over HTTP or RTMP.
package sink

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"relay/cli/fault"
	"relay/cli/term"
	"relay/cli/words"
	"relay/playback"
	"relay/relay/stream"
)

// Sink is standard output or a recording.
type Sink struct {
	path   string   // of the recording that was asked for; "" for standard output
	stdout *os.File // nil for a recording
	start  playback.Start
	suffix string // of the format
}

// recordable are the formats that --record takes, by the end of the file's name.
var recordable = []string{".flv", ".mp4", ".ts"}

// Of returns the sinks that --output, --record and --start ask for. A flag that was not given is
// "". out is standard output. Of opens nothing; Check looks whether they can be written.
func Of(output, record, start string, out io.Writer) ([]Sink, error) {
	var sinks []Sink
	begin, err := playback.ParseStart(start)
	if err != nil {
		return nil, fault.Usage("", "--start: %w", err)
	}
	if output == "-" {
		f, ok := out.(*os.File)
		if !ok || term.IsTTY(f) {
			return nil, fault.Usage("redirect it: relay watch LINK -o - | mpv -", "-o - would write video to the terminal")
		}
		sinks = append(sinks, Sink{stdout: f, start: begin})
	} else if output != "" {
		if start == "" {
			begin = playback.GOP // a recording is what was sent
		}
		sinks = append(sinks, Sink{path: output, suffix: ".flv", start: begin})
	}
	if record != "" {
		suffix := ""
		for _, s := range recordable {
			if strings.EqualFold(filepath.Ext(record), s) {
				suffix = s
			}
		}
		if suffix == "" {
			return nil, fault.Usage("name it as in evening.mp4 or evening.flv", "--record %s: the name must end in %s", record, term.SpeltOr(recordable))
		}
		sinks = append(sinks, Sink{path: record, suffix: suffix, start: playback.GOP})
	}
	return sinks, nil
}

// Check reports what this machine lacks for the sinks and for the player, which may be nil. It
// touches no file.
func Check(sinks []Sink, player *Player) error {
	if player != nil {
		if err := player.check(); err != nil {
			return err
		}
	}
	for _, o := range sinks {
		if o.stdout == nil {
			if err := checkRecording(o.path); err != nil {
				return err
			}
		}
	}
	return nil
}

// Pipes reports whether the sink is standard output.
func (o Sink) Pipes() bool { return o.stdout != nil }

// Write writes the stream until ctx ends. It returns the error of a pipe, for the command ends
// when nobody reads it any more. A full disk ends the recording alone, because others may be
// watching through this node: Write tells the user of it, and returns nil. A write that blocks
// delays the end by [words.LastWrite] at most.
func (o Sink) Write(ctx context.Context, t *term.Terminal, ring *stream.Ring) error {
	ended := make(chan error, 1)
	go func() { ended <- o.record(ctx, t, ring) }() // ends with ctx, or the process
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

func (o Sink) record(ctx context.Context, t *term.Terminal, ring *stream.Ring) error {
	r := playback.Recording{Ring: ring, Start: o.start, Suffix: o.suffix}
	if o.stdout != nil {
		return r.Run(ctx, struct{ io.Writer }{o.stdout}) // what was there before is not ours to cut
	}
	f := &file{path: o.path, t: t}
	err := errors.Join(r.Run(ctx, f), f.close())
	if f.failed != nil {
		return f.failed
	}
	if err != nil {
		t.Say("relay: error: the recording ends here: %s", fault.Plain(err))
		t.Hint("what was recorded plays; the stream goes on, Ctrl-C ends it")
	}
	return nil
}
