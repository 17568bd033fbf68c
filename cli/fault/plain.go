package fault

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// Plain returns what an error says, with a person's words in the place of Go's and of the system's,
// however deep they are in it. What relay itself says stays. [Raw] returns the original.
func Plain(err error) string {
	if err == nil {
		return ""
	}
	if s, ok := known(err); ok {
		return s
	}
	text := err.Error()
	for _, inner := range within(err) {
		if inner == nil {
			continue
		}
		text = strings.Replace(text, inner.Error(), Plain(inner), 1)
	}
	return text
}

// Raw returns what an error says by itself, and whether that is not what [Plain] says. An address that was
// asked for is left out, since it may hold a secret.
func Raw(err error) (text string, other bool) {
	text = err.Error()
	if u, ok := errors.AsType[*url.Error](err); ok {
		text = strings.Replace(text, u.Error(), u.Err.Error(), 1)
	}
	return text, text != Plain(err)
}

// within returns what an error wraps.
func within(err error) []error {
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		return []error{e.Unwrap()}
	case interface{ Unwrap() []error }:
		return e.Unwrap()
	}
	return nil
}

// known returns what an error is called that Go or the system has made itself, and not wrapped around
// what relay says.
func known(err error) (string, bool) {
	switch e := err.(type) {
	case *net.OpError:
		if s, ok := nameError(err); ok {
			return s, true
		}
		if e.Op == "listen" {
			return called(e.Err, listening, anywhere), true
		}
		return called(e.Err, connected, anywhere), true
	case *net.DNSError:
		s, _ := nameError(err)
		return s, true
	case *net.AddrError, *net.ParseError:
		return saysBadAddress, true
	case *url.Error:
		if e.Op == "parse" {
			return saysBadAddress, true
		}
		if _, ok := known(e.Err); !ok && len(within(e.Err)) > 0 {
			return Plain(e.Err), true
		}
		return called(e.Err, connected, anywhere), true
	case *fs.PathError:
		return e.Path + ": " + called(e.Err, anywhere), true
	case *os.LinkError:
		return e.New + ": " + called(e.Err, anywhere), true
	case *os.SyscallError:
		return called(e.Err, connected, anywhere), true
	case *exec.Error:
		return e.Name + ": " + called(e.Err, anywhere), true
	}
	alone := len(within(err)) == 0 || isPure(err)
	for _, k := range anywhere {
		if alone && k.is(err) {
			return k.says, true
		}
	}
	for _, text := range []string{strings.TrimPrefix(err.Error(), brokenBy), err.Error()} {
		for _, w := range wordings {
			if strings.HasPrefix(text, w.begins) {
				return w.says, true
			}
		}
	}
	if no, ok := err.(syscall.Errno); ok {
		return called(no), true
	}
	return "", false
}

// isPure reports whether an error is one of Go's that wraps another of Go's.
func isPure(err error) bool {
	switch err.(type) {
	case *tls.CertificateVerificationError, tls.RecordHeaderError, x509.HostnameError, x509.CertificateInvalidError, x509.UnknownAuthorityError,
		*strconv.NumError:
		return true
	}
	return false
}

// nameError says why a host's name was not found, if that is what is wrong.
func nameError(err error) (string, bool) {
	d, ok := errors.AsType[*net.DNSError](err)
	switch {
	case !ok:
		return "", false
	case d.IsNotFound:
		return saysNoName, true
	}
	return saysNoResolver, true
}

// called returns the name of an error of those kinds. One that is of none is called by its own text,
// as far as that is relay's.
func called(err error, kinds ...[]kind) string {
	if err == nil {
		return ""
	}
	for _, some := range kinds {
		for _, k := range some {
			if k.is(err) {
				return k.says
			}
		}
	}
	if no, ok := errors.AsType[syscall.Errno](err); ok && no != 0 {
		return "the system says: " + no.Error()
	}
	return Plain(err)
}
