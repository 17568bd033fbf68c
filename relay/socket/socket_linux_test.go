package socket

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// A real socket is read around the runtime on some systems; what ends a read must be told as by
// any other connection.
func TestARealSocketTellsHowAReadEnded(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(here, there net.Conn)
		want error
	}{
		"the peer has closed":     {func(_, there net.Conn) { there.Close() }, io.EOF},
		"closed here":             {func(here, _ net.Conn) { here.Close() }, net.ErrClosed},
		"a deadline":              {func(here, _ net.Conn) { here.SetReadDeadline(time.Unix(1, 0)) }, os.ErrDeadlineExceeded},
		"the peer has broken off": {func(_, there net.Conn) { there.(*net.TCPConn).SetLinger(0); there.Close() }, syscall.ECONNRESET},
	} {
		t.Run(name, func(t *testing.T) {
			here, there := socketPair(t)
			r := Of(here)
			p := make([]byte, 16)
			if _, err := there.Write([]byte("tag")); err != nil {
				t.Fatal(err)
			}
			if n, err := r.Read(p); string(p[:n]) != "tag" || err != nil {
				t.Fatalf("read %q, %v", p[:n], err)
			}
			if n, err := r.Read(nil); n != 0 || err != nil {
				t.Errorf("nothing to read into: %d, %v", n, err)
			}
			read := make(chan error, 1)
			go func() { _, err := r.Read(p); read <- err }()
			test.end(here, there)
			if err := <-read; !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
}

func socketPair(t *testing.T) (here, there net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if there, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if here, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { here.Close(); there.Close() })
	return here, there
}

// What does not go out at once is told, and nothing is lost or written twice.
func TestPutTakesWhatGoesOutAtOnce(t *testing.T) {
	here, there := socketPair(t)
	here.(*net.TCPConn).SetWriteBuffer(16 << 10)
	s := Of(here)
	var want []byte
	for i, n := 0, 1; n > 0; i++ { // until nothing more is taken
		b := bytes.Repeat([]byte{byte(i)}, 100_000)
		var err error
		if n, err = s.Put(b); err != nil {
			t.Fatal(err)
		}
		want = append(want, b[:n]...)
	}
	if n, err := s.Put([]byte("abcde")); n != 0 || err != nil {
		t.Errorf("a full socket takes %d bytes, %v", n, err)
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(there, got); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("other bytes came than were taken: %v", err)
	}
	if n, err := s.Put([]byte("cde")); n != 3 || err != nil {
		t.Errorf("%d bytes are taken, %v", n, err)
	}
	if s.Closed() {
		t.Error("it counts as closed")
	}
	there.Close()
	for range 100 { // until the system has noticed
		if s.Closed() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Error("that the other end is closed is not seen")
}

// While a file is held it is no other connection's: who closes the connection waits.
func TestAHeldFileIsNobodyElses(t *testing.T) {
	here, there := socketPair(t)
	s, closed := Of(here), make(chan struct{})
	var n int
	err := s.Hold(func(f File) (err error) {
		go func() { here.Close(); close(closed) }()
		for !s.Closed() { // until it has begun to close
			time.Sleep(time.Millisecond)
		}
		n, err = f.Put([]byte("tag"))
		select {
		case <-closed:
			t.Error("the connection is closed while its file is held")
		default:
		}
		return err
	})
	if n != 3 || err != nil {
		t.Errorf("%d bytes are taken while it is held, %v", n, err)
	}
	<-closed
	if got, err := io.ReadAll(there); string(got) != "tag" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if err := s.Hold(func(File) error { t.Error("a closed connection's file is held"); return nil }); !errors.Is(err, net.ErrClosed) {
		t.Errorf("held after it was closed: %v", err)
	}
}
