package pcpin

import (
	"errors"
	"fmt"

	"relay/relay/oneline"
	"relay/relay/pcp"
)

// Why a host does not give the channel. They are sentences for people.
var (
	ErrNotPeerCast = errors.New("it answers, but not as PeerCast does")
	ErrNotThere    = errors.New("it does not have the channel")
	ErrFull        = errors.New("it has no room for one more, and names nobody who has")
	ErrFullAll     = errors.New("it has no room for one more, and those that it names do not give the channel")
	ErrOffAir      = errors.New("the channel is off the air")
	ErrSelf        = errors.New("that is this program itself")
	ErrRepeats     = errors.New("it sends the same piece of the stream again and again")
	ErrSilent      = errors.New("it sends nothing new")
	ErrLate        = errors.New("it did not answer as PeerCast does within 18 s")
	ErrOld         = errors.New("its PeerCast is too old")
	ErrEnded       = errors.New("the connection ended")
	ErrRefused     = errors.New("it does not give the channel to this program")
)

// TypeError says that a channel is in a format that is not brought in.
type TypeError struct{ Type string } // as its broadcaster writes it, cleaned

func (e *TypeError) Error() string {
	if e.Type == "" {
		return "the channel does not say in which format it is"
	}
	return "the channel is " + e.Type + ", and relay brings FLV, MKV, WebM, TS and MP3 in"
}

// ProtocolError says that a host does not keep to the protocol, or to our bounds. Why is for logs
// and counters.
type ProtocolError struct{ Why *pcp.Error }

func (e *ProtocolError) Error() string   { return ErrNotPeerCast.Error() }
func (e *ProtocolError) Unwrap() []error { return []error{ErrNotPeerCast, e.Why} }

// HostError is an error of one host that was dialled.
type HostError struct {
	Host string // host:port
	Err  error
}

func (e *HostError) Error() string {
	return fmt.Sprintf("%s: %v", oneline.Clean(e.Host, maxHost), e.Err)
}
func (e *HostError) Unwrap() error { return e.Err }

// maxHost is how much of a host's name is shown: a DNS name and a port.
const maxHost = 260
