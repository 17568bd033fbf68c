package input

import (
	"errors"
	"net/url"

	"relay/cli/fault"
	"relay/ingest/srt"
)

// overSRT reads an address of SRT.
func overSRT(arg string) (Input, error) {
	const hint = "as in srt://host:8890?passphrase=PASSPHRASE&latency=200000&streamid=NAME, each where it is wanted; srt://:8890 waits for an encoder"
	u, err := url.Parse(arg)
	if err != nil {
		return Input{}, fault.Usage(hint, "that is no address of SRT")
	}
	u.Scheme = "srt"
	t, err := srt.ParseTarget(u)
	if err != nil {
		return Input{}, fault.Usage(hint, "%w", err)
	}
	if !srt.Available {
		return Input{}, fault.Usage("take the program as it is released, or: ffmpeg -i ADDRESS -c copy -f mpegts - | relay source -", "%w", srt.ErrLean)
	}
	if !t.Listen {
		u.RawQuery = "" // it may hold a passphrase
	}
	return Input{URL: u, SRT: &t}, nil
}

// notOverSRT says what to do where a stream does not come over SRT.
func notOverSRT(err error) string {
	code, ok := errors.AsType[*srt.CodeError](err)
	switch {
	case ok && code.OfKey():
		return "?passphrase=PASSPHRASE gives the one that the sender has set; leave it out if there is none"
	case ok:
		return "?streamid=NAME says which stream is meant, in the form that the server wants"
	}
	return "is the address right, and does a sender listen there now (mode=listener)? SRT goes over UDP, which a firewall may block"
}
