// Package input reads what a person has given relay source to broadcast, and says what is wrong with it
// and what to do.
package input

import (
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"relay/cli/fault"
	"relay/cli/term"
	"relay/ingest"
	"relay/ingest/ffmpeg"
	"relay/ingest/pcpin"
	"relay/ingest/rtmp"
	"relay/ingest/rtspin"
	"relay/ingest/srt"
)

// Input is where relay source takes the media from. Its zero value waits for an encoder.
type Input struct {
	Stdin io.Reader       // standard input, if it is that
	Path  string          // of a file, if it is one
	Loop  bool            // repeat it for ever
	URL   *url.URL        // what to fetch, if it is that
	UDP   *ingest.UDPAddr // where URL says that MPEG-TS is sent to, if it is that
	SRT   *srt.Target     // what to fetch, or where to wait for an encoder, if URL says that
	// PeerCast is a channel of PeerCast's to bring in; nil if it is something else.
	PeerCast *pcpin.Address
	Camera   *rtspin.Address // what URL is, if it is one of RTSP
	// Film is what ffmpeg is to film; nil if it is something else.
	Film *ffmpeg.Wish
	// AAC has ffmpeg, where it reads the input, make AAC of any other sound.
	AAC bool
}

// Awaited reports whether the input is an encoder that connects to this machine.
func (in Input) Awaited() bool {
	return in.Stdin == nil && in.Path == "" && in.URL == nil && in.PeerCast == nil && in.Film == nil || in.SRT != nil && in.SRT.Listen
}

// Passphrase is what an encoder has to give, if the input says so; "" if not.
func (in Input) Passphrase() string {
	if in.SRT == nil || !in.SRT.Listen {
		return ""
	}
	return in.SRT.Passphrase
}

// Of reads the arguments that name the input. It opens nothing. A name with blanks in it is several
// arguments where somebody has left the quotes out: that is taken if there is a file of that name.
func Of(args []string, loop bool, stdin io.Reader) (in Input, err error) {
	arg := strings.Join(args, " ")
	if pcpin.IsAddress(arg) {
		return ofPeerCast(arg, loop)
	}
	if _, err := os.Stat(arg); err != nil && len(args) > 1 {
		return in, fault.Usage("a name with blanks in it needs quotes, as in relay source \"my movie.flv\"; for several channels, run relay source several times, each with --channel NAME", "relay source takes one input, %d were given", len(args))
	}
	if strings.HasPrefix(strings.ToLower(arg), "file://") {
		arg = pathOf(arg)
	}
	if w, ok := ffmpeg.ParseWish(arg); ok {
		if loop {
			return in, loopNeedsFile(arg, true)
		}
		return Input{Film: &w}, nil
	}
	scheme, _, isURL := strings.Cut(arg, "://")
	if loop {
		if err := loopNeedsFile(arg, isURL); err != nil {
			return in, err
		}
	}
	switch {
	case arg == "":
		return in, nil
	case arg == "-":
		if term.IsKeyboard(stdin) {
			return in, fault.Usage("pipe FLV, MPEG-TS or Matroska into it: ffmpeg ... -f flv - | relay source -", "standard input is the keyboard")
		}
		return Input{Stdin: stdin}, nil
	case isURL:
		if _, ok := overRTSP[strings.ToLower(scheme)]; ok {
			return ofCamera(arg, strings.ToLower(scheme))
		}
		if strings.EqualFold(scheme, "udp") {
			return sent(arg)
		}
		if strings.EqualFold(scheme, "srt") {
			return overSRT(arg)
		}
		u, err := fetched(arg, strings.ToLower(scheme))
		return Input{URL: u}, err
	}
	return Input{Path: arg, Loop: loop}, nil
}

// ofPeerCast reads a channel of PeerCast's.
func ofPeerCast(arg string, loop bool) (in Input, err error) {
	if loop {
		return in, loopNeedsFile(arg, true)
	}
	a, err := pcpin.ParseAddress(arg)
	if err != nil {
		return in, fault.Usage("as in relay source pcp://HOST:7144/ID, with the channel's ID of 32 digits; or paste the channel's whole line of an index.txt, in quotes", "%w", err)
	}
	return Input{PeerCast: &a}, nil
}

// ForEncoders says that a flag is of no use beside an input.
func ForEncoders(flagged string) error {
	return fault.Usage("leave the input out, and relay source waits for an encoder there, too", "--%s is for encoders, and an input is given", flagged)
}

func loopNeedsFile(arg string, isURL bool) error {
	hint := ""
	switch {
	case arg == "":
		hint = "name it: relay source movie.flv --loop"
	case arg == "-":
		hint = "whoever writes standard input repeats it: ffmpeg -re -stream_loop -1 -i INPUT -c copy -f flv - | relay source -"
	case isURL:
		hint = "what is fetched is live; leave --loop out, and relay connects again by itself"
	default:
		return nil
	}
	return fault.Usage(hint, "--loop needs a file to repeat")
}

// pathOf returns the path in a file:// address, as file managers copy it.
func pathOf(arg string) string {
	if u, err := url.Parse(arg); err == nil && (u.Host == "" || u.Host == "localhost") {
		return u.Path
	}
	return arg
}

// sent reads an address that MPEG-TS is sent to.
func sent(arg string) (Input, error) {
	const hint = "as in udp://:1234 for what is sent to this machine, or udp://239.1.1.1:1234 for what is sent to a group"
	u, err := url.Parse(arg)
	if err != nil {
		return Input{}, fault.Usage(hint, "%q is no address", arg)
	}
	u.Scheme = "udp"
	addr, err := ingest.ParseUDP(u)
	switch {
	case errors.Is(err, ingest.ErrUDPProgram):
		return Input{}, fault.Usage("?program=N has the number of one of its programs, from 1 to 65535; without it, relay takes the first", "%q names no program", arg)
	case err != nil:
		return Input{}, fault.Usage(hint, "%q is no address for MPEG-TS over UDP", arg)
	}
	return Input{URL: u, UDP: &addr}, nil
}

// fetched reads an address to fetch a stream from.
func fetched(arg, scheme string) (*url.URL, error) {
	switch {
	case scheme == "rtmp", ffmpeg.Fetches(scheme):
	case scheme == "relay":
		return nil, fault.Usage("to watch a channel: relay watch LINK. To broadcast, relay source alone waits for OBS or ffmpeg", "a relay:// link is no input")
	default:
		return nil, fault.Usage("rtmp://, http(s)://, rtsp(s)://, srt:// and udp:// can be taken; for others: ffmpeg -i "+quoted(arg)+" -c copy -f flv - | relay source -", "relay cannot fetch from %s://", scheme)
	}
	u, err := url.Parse(arg)
	if err != nil || u.Host == "" {
		return nil, fault.Usage("as in rtmp://host/app/stream or http://host/live.flv", "%q is no address", arg)
	}
	u.Scheme = scheme
	if scheme != "rtmp" {
		return u, nil
	}
	if _, err := rtmp.ParseTarget(u); err != nil {
		hint := "an encoder's server is its address, and the stream key its last part: rtmp://host/app/KEY"
		if here(u) {
			hint = "that is where an encoder sends to: relay source alone waits for it, and prints what to paste into OBS"
		}
		return nil, fault.Usage(hint, "%w", err)
	}
	return u, nil
}

// here reports whether an address leads to the port for encoders on this machine.
func here(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	own := u.Hostname() == "localhost" || ip != nil && (ip.IsLoopback() || ip.IsUnspecified())
	return own && (u.Port() == "" || u.Port() == strconv.Itoa(rtmp.DefaultPort))
}

// Check returns an error if the input is a file that does not exist.
func (in Input) Check() error {
	if in.Path == "" {
		return nil
	}
	if _, err := os.Stat(in.Path); err != nil {
		return in.Explain(err)
	}
	return nil
}

// inFolder says what to take in a folder.
func inFolder(dir string) string {
	for _, ext := range []string{"*.flv", "*.mkv", "*.mp4", "*.mov", "*.webm", "*.ts", "*.m2ts", "*.mp3", "*.aac"} {
		if found, _ := filepath.Glob(filepath.Join(dir, ext)); len(found) > 0 {
			return "name a file in it: relay source " + quoted(found[0])
		}
	}
	for _, below := range []string{"*", "kept/*"} {
		if found, _ := filepath.Glob(filepath.Join(dir, below, "*.relay")); len(found) > 0 {
			return "what was kept of each channel is in a folder of its own: relay source " + quoted(filepath.Dir(found[0]))
		}
	}
	return "name a file of FLV, Matroska, MP4 or MPEG-TS in it, as in relay source " + quoted(filepath.Join(dir, "movie.flv"))
}
