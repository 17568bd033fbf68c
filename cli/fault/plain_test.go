package fault

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"relay/cli/term"
)

func TestKindsOfErrorsHaveWords(t *testing.T) {
	dial := func(err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(10, 77, 0, 2), Port: 7145}, Err: err}
	}
	system := func(err error) error { return dial(os.NewSyscallError("connect", err)) }
	listen := func(err error) error {
		return &net.OpError{Op: "listen", Net: "tcp", Err: os.NewSyscallError("bind", err)}
	}
	get := func(err error) error { return &url.Error{Op: "Get", URL: "http://u:secret@h/", Err: err} }
	file := func(err error) error { return &fs.PathError{Op: "open", Path: "a.flv", Err: err} }
	read := func(err error) error { return &net.OpError{Op: "read", Net: "tcp", Err: err} }
	_, badURL := url.Parse(strings.Replace("http://a:b:c/", "c/", "c/%zz", 1))
	_, badInt := strconv.Atoi("x")
	for _, c := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{errors.New("a sentence of relay's"), "a sentence of relay's"},
		{fmt.Errorf("no relay answers at %s: %w", "10.77.0.2:7145", system(syscall.ECONNREFUSED)), "no relay answers at 10.77.0.2:7145: " + saysRefused},
		{fmt.Errorf("twice: %w", fmt.Errorf("no relay answers: %w", get(system(syscall.ECONNREFUSED)))), "twice: no relay answers: " + saysRefused},
		{syscall.ECONNREFUSED, saysRefused},
		{system(syscall.EHOSTUNREACH), saysNoHost},
		{system(syscall.ENETUNREACH), saysNoWay},
		{system(syscall.EPERM), saysForbidden},
		{system(syscall.ETIMEDOUT), saysTimeout},
		{system(syscall.ECONNRESET), saysClosed},
		{system(syscall.EMFILE), saysTooMany},
		{dial(os.ErrDeadlineExceeded), saysTimeout},
		{dial(&net.DNSError{Err: "no such host", Name: "nosuch", IsNotFound: true}), saysNoName},
		{dial(&net.DNSError{Err: "i/o timeout", Name: "nosuch", IsTimeout: true}), saysNoResolver},
		{&net.DNSError{Err: "server misbehaving", Name: "nosuch", IsTemporary: true}, saysNoResolver},
		{dial(&net.AddrError{Err: "missing port in address", Addr: "x"}), saysBadAddress},
		{read(syscall.ECONNRESET), saysClosed},
		{read(io.EOF), saysClosed},
		{&net.OpError{Op: "write", Net: "tcp", Err: os.NewSyscallError("write", syscall.EPIPE)}, saysClosed},
		{net.ErrClosed, saysClosed},
		{get(io.EOF), saysClosed},
		{get(context.DeadlineExceeded), saysTimeout},
		{get(errors.New("it leads to another host")), "it leads to another host"},
		{get(errors.New(`malformed HTTP response "\x00"`)), saysNoHTTP},
		{get(errors.New("readLoopPeekFailLocked: %!w(<nil>)")), saysNoHTTP}, // as Go 1.26 has it
		{get(http.ErrSchemeMismatch), saysNoTLS},
		{get(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}), saysCertWho},
		{get(&tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: &x509.Certificate{}, Host: "h"}}), saysCertOf},
		{get(&tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.Expired}}), saysCertOld},
		{tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, saysNoTLS},
		{badURL, saysBadAddress},
		{listen(syscall.EADDRINUSE), saysPortTaken},
		{listen(syscall.EADDRNOTAVAIL), saysNoAddress},
		{listen(syscall.EACCES), saysNoPort},
		{context.Canceled, saysStopped},
		{context.DeadlineExceeded, saysTimeout},
		{file(syscall.ENOENT), "a.flv: " + saysNoFile},
		{file(syscall.EACCES), "a.flv: " + saysMayNot},
		{file(syscall.EISDIR), "a.flv: " + saysFolder},
		{file(syscall.ENOTDIR), "a.flv: " + saysNoFolder},
		{file(syscall.ENOSPC), "a.flv: " + saysFull},
		{file(syscall.EDQUOT), "a.flv: " + saysShareFull},
		{file(syscall.EROFS), "a.flv: " + saysReadOnly},
		{file(syscall.EIO), "a.flv: " + saysBroken},
		{file(syscall.EMFILE), "a.flv: " + saysTooMany},
		{file(syscall.ENAMETOOLONG), "a.flv: " + saysLongName},
		{file(syscall.EPIPE), "a.flv: " + saysNoReader},
		{file(syscall.EEXIST), "a.flv: " + saysFileThere},
		{file(syscall.EXDEV), "a.flv: the system says: " + syscall.EXDEV.Error()},
		{&os.LinkError{Op: "rename", Old: "a", New: "b", Err: syscall.EACCES}, "b: " + saysMayNot},
		{fmt.Errorf("read the key: %w", fs.ErrPermission), "read the key: " + saysMayNot},
		{io.ErrUnexpectedEOF, saysTooShort},
		{fmt.Errorf("movie.flv: %w", io.EOF), "movie.flv: " + saysTooShort},
		{badInt, saysNoNumber},
		{json.Unmarshal([]byte("<html>"), new(int)), saysNotRelay},
		{json.Unmarshal([]byte(`"x"`), new(int)), saysNotRelay},
		{&exec.Error{Name: "vlc", Err: exec.ErrNotFound}, "vlc: " + saysNoProgram},
		{errors.Join(file(syscall.ENOSPC), errors.New("and a sentence")), "a.flv: " + saysFull + "\nand a sentence"},
		{Fail("hint", "cannot record: %w", file(syscall.ENOSPC)), "cannot record: a.flv: " + saysFull},
	} {
		if got := Plain(c.err); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}

// TestNoSystemErrorKeepsItsWords makes the errors by what makes them, so that what a new version of Go wraps
// otherwise is seen.
func TestNoSystemErrorKeepsItsWords(t *testing.T) {
	dir := t.TempDir()
	full := filepath.Join(dir, "file")
	if err := os.WriteFile(full, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	expired, cancel := context.WithDeadline(t.Context(), time.Time{})
	defer cancel()
	fetch := func(ctx context.Context, u string) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
		if err != nil {
			return err
		}
		resp, err := (&http.Client{Transport: &http.Transport{}}).Do(req)
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	open := func(path string) error { _, err := os.Open(path); return err }
	listen := func(addr string) error { _, err := net.Listen("tcp", addr); return err }
	read := func(path string) error { _, err := os.ReadFile(path); return err }
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"a port that is taken":     {listen(taken.Addr().String()), saysPortTaken},
		"an address not here":      {listen("192.0.2.77:0"), saysNoAddress},
		"a port that is no number": {listen("127.0.0.1:x:y"), saysBadAddress},
		"a file that is not there": {open(filepath.Join(dir, "none")), saysNoFile},
		"a file below a file":      {open(filepath.Join(full, "none")), saysNoFolder},
		"a folder read":            {read(dir), saysFolder},
		"nobody listens":           {fetch(t.Context(), "http://127.0.0.1:1/"), saysRefused},
		"https where there is http": {
			fetch(t.Context(), strings.Replace(plain.URL, "http:", "https:", 1)), saysNoTLS,
		},
		"an unknown certificate": {fetch(t.Context(), secure.URL), saysCertWho},
		"no time":                {fetch(expired, plain.URL), saysTimeout},
		"no program":             {exec.Command("no-such-program-of-relay").Run(), saysNoProgram},
	} {
		if c.err == nil {
			t.Errorf("%s: no error", name)
		} else if got := Plain(c.err); !strings.HasSuffix(got, c.want) {
			t.Errorf("%s: %q, want %q at the end", name, got, c.want)
		}
	}
}

func TestTheRawErrorIsForVerboseAlone(t *testing.T) {
	err := Fail("try again", "no relay answers: %w", &url.Error{Op: "Get", URL: "http://h/secret", Err: &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}})
	for verbose, want := range map[bool]string{
		false: "relay: error: no relay answers: " + saysRefused + "\nrelay: hint: try again\n",
		true:  "relay: error: no relay answers: " + saysRefused + "\nrelay: raw error: no relay answers: dial: connect: connection refused\nrelay: hint: try again\n",
	} {
		var out bytes.Buffer
		tm := term.New(io.Discard, &out)
		tm.Verbose = verbose
		if code := Report(tm, err); code != ExitRuntime || out.String() != want {
			t.Errorf("verbose %t: %d, %q", verbose, code, out.String())
		}
	}
}
