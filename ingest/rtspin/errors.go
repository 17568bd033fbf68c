package rtspin

import (
	"errors"
	"fmt"
	"strings"

	"relay/ingest/convert"
)

// Why nothing comes of a camera. Each is wrapped in an [Error], which has its name.
var (
	ErrLean       = errors.New("this program was built without RTSP")
	ErrNoPassword = errors.New("it wants a name and a password")
	ErrPassword   = errors.New("it does not take the name and password")
	ErrPath       = errors.New("it has no such path")
	ErrBusy       = errors.New("it has no room for one more viewer")
	ErrHTTP       = errors.New("it answers HTTP, which is for pages")
	ErrNotRTSP    = errors.New("it does not speak RTSP")
	ErrLoop       = errors.New("it sends on from one address to the next without end")
	ErrHungUp     = errors.New("it closes the connection without an answer")
	ErrNoAnswer   = errors.New("it does not answer within 10 s")
	ErrSilence    = errors.New("nothing came for 10 s")
	ErrUseless    = errors.New("nothing that can be shown came for 30 s")
	ErrNoUDP      = errors.New("it says that it sends, and no UDP came for 10 s")
	ErrTransport  = errors.New("it does not send in the way that was asked for")
	ErrSDP        = errors.New("what it says of its video and sound makes no sense")
	ErrNoMedia    = errors.New("it has no video and no sound")
	ErrEnded      = errors.New("it ended the stream")
)

// Error says what went wrong with a camera.
type Error struct {
	Host string // without credentials
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %v", e.Host, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// StatusError is a refusal that has no name here.
type StatusError struct {
	Code int
	Text string // the camera's, cleaned
}

func (e *StatusError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("it answers %d %s", e.Code, e.Text))
}

// CodecError says that pictures, or all sound where there are no pictures, are coded in ways that cannot be sent on.
type CodecError struct{ Codecs []string }

func (e *CodecError) Error() string {
	return "it sends " + strings.Join(e.Codecs, ", ") + ", which relay cannot carry"
}

// Unwrap is for whoever can encode anew.
func (e *CodecError) Unwrap() error { return convert.ErrNotCarried }

// RedirectError says that a camera sends to another host, which would get the password.
type RedirectError struct{ To string }

func (e *RedirectError) Error() string { return "it sends on to another host, " + e.To }

// CertificateError says that a camera's certificate is none that is trusted.
type CertificateError struct {
	SHA256 string // of the one that it has
	Wanted string // the one that was to be taken; "" for one that this machine trusts
	Retry  string // the address with which it is taken, without the password
}

func (e *CertificateError) Error() string {
	if e.Wanted != "" {
		return "it has another certificate than the address says"
	}
	return "nobody whom this machine trusts has signed its certificate, as with most cameras"
}
