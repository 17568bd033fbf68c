package fault

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"relay/relay/hostnet"
)

// What the kinds of errors of Go and of the system are called. Each stands behind what was tried, and a colon.
const (
	saysRefused    = "nothing listens on that port"
	saysTimeout    = "no answer came in time"
	saysNoName     = "there is no host of that name"
	saysNoResolver = "names of hosts cannot be looked up now; is this machine online?"
	saysNoWay      = "this machine has no way to that address; is it online?"
	saysNoHost     = "no machine answers at that address"
	saysClosed     = "the connection was closed"
	saysForbidden  = "this machine does not let it through; is that a firewall?"
	saysNoPort     = "this user may not open that port; those from 1024 on are free to all"
	saysPortTaken  = "another program has that port"
	saysNoAddress  = "this machine does not have that address"
	saysTooShort   = "it ends too early"
	saysStopped    = "it was stopped"
	saysNoFile     = "there is no such file or folder"
	saysFileThere  = "there is a file of that name already"
	saysMayNot     = "you do not have the permission for that"
	saysFolder     = "it is a folder"
	saysNoFolder   = "a part of that path is no folder"
	saysFull       = "the disk is full"
	saysShareFull  = "your share of the disk is used up"
	saysReadOnly   = "nothing can be written to that disk"
	saysBroken     = "the disk or the device fails"
	saysTooMany    = "too many files and connections are open"
	saysLongName   = "the name is too long"
	saysNoReader   = "whatever read it has ended"
	saysCertOf     = "its certificate is for another name"
	saysCertOld    = "its certificate is not valid now; is this machine's clock right?"
	saysCertWho    = "its certificate is from nobody whom this machine trusts"
	saysNoTLS      = "it does not speak https there; try http://"
	saysTLSFails   = "no agreement on https was reached"
	saysNoHTTP     = "what answers there does not speak HTTP"
	saysNotRelay   = "it is not what a relay answers"
	saysBadAddress = "that is not written as an address is"
	saysNoProgram  = "that program is not installed, or not in PATH"
	saysTooLong    = "the answer is too long"
	saysNoNumber   = "it is no number"
	saysUnusable   = "the system does not do that"
)

// kind is what errors of some kind are called.
type kind struct {
	is   func(error) bool
	says string
}

func oneOf(targets ...error) func(error) bool {
	return func(err error) bool {
		for _, t := range targets {
			if errors.Is(err, t) {
				return true
			}
		}
		return false
	}
}

// wsaAccess and the like are what Windows says: there, Go's own numbers are made up.
const (
	wsaAccess      = syscall.Errno(10013)
	wsaAborted     = syscall.Errno(10053)
	wsaReset       = syscall.Errno(10054)
	wsaTimedOut    = syscall.Errno(10060)
	wsaHostDown    = syscall.Errno(10064)
	wsaHostUnreach = syscall.Errno(10065)
)

// listening are the kinds of an error of a port that is to be opened here.
var listening = []kind{
	{hostnet.InUse, saysPortTaken},
	{oneOf(fs.ErrPermission, wsaAccess), saysNoPort},
	{hostnet.NoWay, saysNoAddress},
}

// connected are those of a connection, which elsewhere mean something else.
var connected = []kind{
	{oneOf(fs.ErrPermission, wsaAccess), saysForbidden},
	{oneOf(syscall.EPIPE, io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe), saysClosed},
}

// anywhere are those of all else, files among it.
var anywhere = []kind{
	{hostnet.Refused, saysRefused},
	{oneOf(syscall.EHOSTUNREACH, syscall.EHOSTDOWN, wsaHostUnreach, wsaHostDown), saysNoHost},
	{hostnet.NoWay, saysNoWay},
	{hostnet.InUse, saysPortTaken},
	{oneOf(syscall.ECONNRESET, syscall.ECONNABORTED, wsaReset, wsaAborted, net.ErrClosed, syscall.ENOTCONN), saysClosed},
	{oneOf(context.Canceled), saysStopped},
	{timedOut, saysTimeout},
	{oneOf(wsaTimedOut), saysTimeout},
	{oneOf(fs.ErrNotExist), saysNoFile},
	{oneOf(syscall.EISDIR), saysFolder},
	{oneOf(syscall.ENOTDIR), saysNoFolder},
	{oneOf(fs.ErrExist), saysFileThere},
	{oneOf(fs.ErrPermission), saysMayNot},
	{oneOf(syscall.ENOSPC), saysFull},
	{oneOf(syscall.EDQUOT), saysShareFull},
	{oneOf(syscall.EROFS), saysReadOnly},
	{oneOf(syscall.EIO), saysBroken},
	{oneOf(syscall.EMFILE, syscall.ENFILE), saysTooMany},
	{oneOf(syscall.ENAMETOOLONG), saysLongName},
	{oneOf(syscall.EPIPE), saysNoReader},
	{oneOf(syscall.ENOSYS, errors.ErrUnsupported, syscall.EINVAL), saysUnusable},
	{oneOf(io.EOF, io.ErrUnexpectedEOF), saysTooShort},
	{oneOf(exec.ErrNotFound), saysNoProgram},
	{isA[*x509.HostnameError], saysCertOf},
	{isA[x509.HostnameError], saysCertOf},
	{expired, saysCertOld},
	{isA[*tls.CertificateVerificationError], saysCertWho},
	{isA[x509.UnknownAuthorityError], saysCertWho},
	{oneOf(http.ErrSchemeMismatch), saysNoTLS},
	{isA[tls.RecordHeaderError], saysNoTLS},
	{isA[tls.AlertError], saysTLSFails},
	{isA[*strconv.NumError], saysNoNumber},
	{isA[*json.SyntaxError], saysNotRelay},
	{isA[*json.UnmarshalTypeError], saysNotRelay},
}

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func timedOut(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout() || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
}

func expired(err error) bool {
	c, ok := errors.AsType[x509.CertificateInvalidError](err)
	return ok && c.Reason == x509.Expired
}

// brokenBy stands in front of why an answer over HTTP was given up.
const brokenBy = "net/http: HTTP/1.x transport connection broken: "

// wordings are of errors that have no type of their own.
var wordings = []struct{ begins, says string }{
	{"malformed HTTP ", saysNoHTTP},
	{"malformed MIME header", saysNoHTTP},
	{"net/http: HTTP/1.x transport connection broken", saysNoHTTP},
	{"readLoopPeekFailLocked", saysNoHTTP},
	{"http: server gave HTTP response to HTTPS client", saysNoTLS},
	{"tls: ", saysTLSFails},
	{"remote error: tls: ", saysTLSFails},
	{"net/http: server response headers exceeded", saysTooLong},
	{"net/http: timeout ", saysTimeout},
	{"net/http: TLS handshake timeout", saysTimeout},
	{"http: server closed", saysClosed},
	{"missing port in address", saysBadAddress},
	{"too many colons in address", saysBadAddress},
	{"use of closed network connection", saysClosed},
	{"unsupported protocol scheme", saysBadAddress},
}
