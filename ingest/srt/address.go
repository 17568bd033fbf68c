package srt

import (
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Target is an address of SRT.
type Target struct {
	Addr       string // host:port; without a host if it is to listen there
	Listen     bool   // others call
	StreamID   string
	Passphrase string
	KeyLen     int           // of the encryption, in bytes: 16, 24 or 32
	Latency    time.Duration // what is asked for; MinLatency at least
	Program    int           // of MPEG-TS; 0 for the first
}

// What is wrong with an address.
var (
	ErrAddress    = errors.New("an address of SRT has a host and a port: srt://host:8890")
	ErrPassphrase = errors.New("a passphrase of SRT has 10 to 79 characters")
	ErrKeyLen     = errors.New("pbkeylen is 16, 24 or 32")
	ErrLatency    = errors.New("latency is in microseconds, up to 8000000, as ffmpeg has it")
	ErrMode       = errors.New("mode is caller or listener")
	ErrStreamID   = errors.New("a stream ID has 512 bytes at most")
	ErrProgram    = errors.New("a program of MPEG-TS has a number from 1 to 65535")
)

// ParseTarget reads srt://host:port with the options of ffmpeg and OBS: streamid, passphrase, pbkeylen,
// latency, mode (listener, or caller if there is a host), and with program. Options that are not known here are left alone: they are
// for the other side, or for libsrt.
func ParseTarget(u *url.URL) (t Target, err error) {
	q := u.Query()
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil || port == 0 || u.Path != "" && u.Path != "/" {
		return t, ErrAddress
	}
	t.Addr = net.JoinHostPort(u.Hostname(), u.Port())
	switch mode := strings.ToLower(q.Get("mode")); {
	case mode == "listener", mode == "" && u.Hostname() == "":
		t.Listen = true
	case mode == "caller", mode == "":
		if u.Hostname() == "" {
			return t, ErrAddress
		}
	default:
		return t, ErrMode
	}
	if t.StreamID = q.Get("streamid"); len(t.StreamID) > MaxStreamID {
		return t, ErrStreamID
	}
	if t.Passphrase = q.Get("passphrase"); t.Passphrase != "" && !GoodKey(t.Passphrase) {
		return t, ErrPassphrase
	}
	if t.KeyLen, err = keyLen(q.Get("pbkeylen")); err != nil {
		return t, err
	}
	if t.Latency, err = latency(q.Get("latency")); err != nil {
		return t, err
	}
	if p := q.Get("program"); p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return t, ErrProgram
		}
		t.Program = int(n)
	}
	return t, nil
}

// GoodKey reports whether a passphrase is as long as SRT's are.
func GoodKey(s string) bool { return len(s) >= MinKey && len(s) <= MaxKey }

// PlainKey reports whether a passphrase is as long as SRT's are, and stands in an address as it is:
// ffmpeg, and what is built with it, decodes nothing there.
func PlainKey(s string) bool {
	for _, c := range s {
		if c > 127 || !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._~-", c) {
			return false
		}
	}
	return GoodKey(s)
}

func keyLen(s string) (int, error) {
	switch s {
	case "", "0", "16":
		return 16, nil
	case "24":
		return 24, nil
	case "32":
		return 32, nil
	}
	return 0, ErrKeyLen
}

// latency reads microseconds. Fewer than 10,000 are meant as milliseconds, as in libsrt's own programs.
func latency(s string) (time.Duration, error) {
	const fewest = 10_000
	if s == "" {
		return MinLatency, nil
	}
	n, err := strconv.ParseUint(s, 10, 32)
	d := time.Duration(n) * time.Microsecond
	if n < fewest {
		d = time.Duration(n) * time.Millisecond
	}
	if err != nil || d > MaxLatency {
		return 0, ErrLatency
	}
	return max(d, MinLatency), nil
}
