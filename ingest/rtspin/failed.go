//go:build !lean

package rtspin

import (
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"
	"go.uber.org/zap"
)

// said makes one of this package's errors of the library's.
func (f *fetching) said(err error) error {
	if r := f.elsewhere.Load(); r != nil {
		return r
	}
	if d := f.distrust.Load(); d != nil {
		return d
	}
	if s, ok := errors.AsType[liberrors.ErrClientBadStatusCode](err); ok {
		return f.status(int(s.Code), s.Message)
	}
	switch {
	case isOne[liberrors.ErrClientAuthSetup](err):
		return ErrPassword
	case isOne[liberrors.ErrClientRequestTimedOut](err):
		return ErrNoAnswer
	case isOne[liberrors.ErrClientTCPTimeout](err):
		return ErrSilence
	case isOne[liberrors.ErrClientUDPTimeout](err):
		return ErrNoUDP
	case isOne[liberrors.ErrClientSDPInvalid](err), isOne[liberrors.ErrClientContentTypeMissing](err), isOne[liberrors.ErrClientContentTypeUnsupported](err):
		return ErrSDP
	case isOne[liberrors.ErrClientServerRequestedTCP](err), isOne[liberrors.ErrClientServerRequestedUDP](err), isOne[liberrors.ErrClientServerPortsNotProvided](err),
		isOne[liberrors.ErrClientTransportHeaderInvalid](err), isOne[liberrors.ErrClientTransportHeaderNoPorts](err), isOne[liberrors.ErrClientTransportHeaderInvalidDelivery](err),
		isOne[liberrors.ErrClientH264PacketizationMode0](err):
		return ErrTransport
	}
	switch known := f.first.what(); {
	case known != nil:
		return known
	case ours(err), networks(err):
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return ErrHungUp
	case errors.Is(err, os.ErrDeadlineExceeded):
		return ErrNoAnswer
	}
	f.log.Debug("RTSP ends", zap.String("from", f.Host()), zap.Error(err))
	return ErrNotRTSP
}

func isOne[E error](err error) bool { _, ok := errors.AsType[E](err); return ok }

// networks reports whether an error is of finding or reaching the host, for which there are words.
func networks(err error) bool {
	o, ok := errors.AsType[*net.OpError](err)
	return ok && o.Op == "dial" || isOne[*net.DNSError](err)
}

// ours reports whether an error is one of this package's.
func ours(err error) bool {
	return slices.ContainsFunc([]error{ErrNoMedia, ErrSDP, ErrEnded, ErrLoop}, func(e error) bool { return errors.Is(err, e) }) || isOne[*CodecError](err)
}

// status is what an answer means.
func (f *fetching) status(code int, text string) error {
	switch code {
	case 401, 403:
		if f.URL.User == nil {
			return ErrNoPassword
		}
		return ErrPassword
	case 404, 454:
		return ErrPath
	case 453, 503:
		return ErrBusy
	case 461:
		return ErrTransport
	}
	return &StatusError{code, printable(text)}
}

// printable is what may be shown of a camera's words.
func printable(s string) string {
	if len(s) > textMost {
		s = s[:textMost]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
}
