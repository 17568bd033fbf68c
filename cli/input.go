package cli

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"relay/cli/fault"
	"relay/cli/term"
	"relay/ingest/flv"
)

// input is where relay source takes the media from. Its zero value waits for an encoder.
type input struct {
	stdin io.Reader // standard input, if it is that
	path  string    // of a file, if it is one
	loop  bool      // repeat it for ever
	url   *url.URL  // what to fetch, if it is that
}

// awaited reports whether the input is an encoder that connects to this machine.
func (in input) awaited() bool { return in.stdin == nil && in.path == "" && in.url == nil }

// inputOf reads the argument that names the input. It opens nothing.
func inputOf(arg string, loop bool, stdin io.Reader) (in input, err error) {
	if loop && (arg == "" || arg == "-" || strings.Contains(arg, "://")) {
		return in, fault.Usage("", "--loop needs a file to repeat")
	}
	switch scheme, _, isURL := strings.Cut(arg, "://"); {
	case arg == "":
		return in, nil
	case arg == "-":
		if term.IsKeyboard(stdin) {
			return in, fault.Usage("pipe FLV into it: ffmpeg ... -f flv - | relay source -", "standard input is the keyboard")
		}
		return input{stdin: stdin}, nil
	case isURL:
		u, err := url.Parse(arg)
		if err != nil || u.Host == "" {
			return in, fault.Usage("as in rtmp://host/app/stream or http://host/live.flv", "%q is no address", arg)
		}
		switch strings.ToLower(scheme) {
		case "rtmp", "http", "https":
			return input{url: u}, nil
		case "relay":
			return in, fault.Usage("to watch a channel: relay watch LINK", "a relay:// link is no input")
		}
		return in, fault.Usage("rtmp://, http:// and https:// can be fetched; for others: ffmpeg -i "+arg+" -c copy -f flv - | relay source -", "relay cannot fetch from %s://", scheme)
	}
	return input{path: arg, loop: loop}, nil
}

// check returns an error if the input is a file that does not exist.
func (in input) check() error {
	if in.path == "" {
		return nil
	}
	if _, err := os.Stat(in.path); err != nil {
		return explainInput(err)
	}
	return nil
}

// explainInput adds a hint to an error of an input, where one helps.
func explainInput(err error) error {
	var not *flv.NotFLVError
	if errors.As(err, &not) {
		if not.Looks == "nothing at all" {
			return &fault.Error{Err: err, Hint: "did the program that makes the stream fail? Run it alone to see", Code: fault.ExitRuntime}
		}
		return &fault.Error{Err: err, Hint: "relay takes FLV; to convert: ffmpeg -re -i INPUT -c copy -f flv - | relay source -", Code: fault.ExitRuntime}
	}
	var path *os.PathError
	if errors.As(err, &path) {
		return &fault.Error{Err: fmt.Errorf("%s: %w", path.Path, path.Err), Hint: "", Code: fault.ExitRuntime}
	}
	return &fault.Error{Err: err, Hint: "", Code: fault.ExitRuntime}
}
