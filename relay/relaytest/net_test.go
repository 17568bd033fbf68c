package relaytest_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"relay/relay/relaytest"
)

const delay = 20 * time.Millisecond

// pair is two hosts and a connection between them, the dialler's end first.
func pair(t *testing.T) (a, b *relaytest.Host, ca, cb net.Conn) {
	t.Helper()
	n := relaytest.New(delay)
	a, b = n.Host(netip.MustParseAddr("10.0.0.1")), n.Host(netip.MustParseAddr("10.0.0.2"))
	ln, err := b.Listen(7144)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	if ca, err = a.Dial(t.Context(), "tcp", "10.0.0.2:7144"); err != nil {
		t.Fatal(err)
	}
	if cb, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	return a, b, ca, cb
}

func TestBytesArriveInOrderAfterTheDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, ca, cb := pair(t)
		begin := time.Now()
		for _, s := range []string{"one ", "two ", "three"} {
			if _, err := io.WriteString(ca, s); err != nil {
				t.Fatal(err)
			}
		}
		ca.Close()
		b, err := io.ReadAll(cb)
		if took := time.Since(begin); string(b) != "one two three" || err != nil || took != delay {
			t.Errorf("%q, %v after %v", b, err, took)
		}
	})
}

func TestAWriterWaitsForAReaderUntilItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, ca, _ := pair(t)
		if err := ca.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		n, err := ca.Write(make([]byte, 1<<20))
		if !errors.Is(err, os.ErrDeadlineExceeded) || n != 256<<10 {
			t.Errorf("%d, %v", n, err)
		}
	})
}

func TestAReaderWaitsUntilItsDeadlineAlsoOneSetLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, ca, _ := pair(t)
		begin := time.Now()
		time.AfterFunc(time.Second, func() { _ = ca.SetReadDeadline(time.Now()) })
		if _, err := ca.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
	})
}

func TestAFrozenHostHoldsEverythingAndLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, ca, cb := pair(t)
		b.Freeze()
		if _, err := io.WriteString(ca, "x"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := a.Dial(ctx, "tcp", "10.0.0.2:7144"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("dialled a frozen host: %v", err)
		}
		begin := time.Now()
		time.AfterFunc(time.Second, b.Thaw)
		if n, err := cb.Read(make([]byte, 9)); n != 1 || err != nil || time.Since(begin) != time.Second {
			t.Errorf("%d, %v after %v", n, err, time.Since(begin))
		}
	})
}

func TestAKilledHostResetsAndRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, ca, _ := pair(t)
		time.AfterFunc(time.Second, b.Kill)
		if _, err := ca.Read(make([]byte, 9)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("read: %v", err)
		}
		if _, err := ca.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("write: %v", err)
		}
		if _, err := a.Dial(t.Context(), "tcp", "10.0.0.2:7144"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("dial: %v", err)
		}
	})
}

func TestACutHoldsOneWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, ca, cb := pair(t)
		a.Cut(b)
		for _, c := range []net.Conn{ca, cb} {
			if _, err := io.WriteString(c, "x"); err != nil {
				t.Fatal(err)
			}
		}
		begin := time.Now()
		if _, err := ca.Read(make([]byte, 9)); err != nil || time.Since(begin) != delay {
			t.Errorf("the other way: %v after %v", err, time.Since(begin))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := b.Dial(ctx, "tcp", "10.0.0.1:7144"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("dialled over a cut: %v", err)
		}
		begin = time.Now()
		time.AfterFunc(time.Second, func() { a.Heal(b) })
		if n, err := cb.Read(make([]byte, 9)); n != 1 || err != nil || time.Since(begin) != time.Second {
			t.Errorf("%d, %v after %v", n, err, time.Since(begin))
		}
	})
}

func TestWhatIsLeftOfAKilledProcessDialsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, _, _ := pair(t)
		a.Kill()
		if _, err := a.Dial(t.Context(), "tcp", "10.0.0.2:7144"); !errors.Is(err, syscall.ENETDOWN) {
			t.Errorf("dial: %v", err)
		}
		if ln, err := a.Listen(1); err != nil {
			t.Error(err)
		} else {
			ln.Close()
		}
		if _, err := a.Dial(t.Context(), "tcp", "10.0.0.2:7144"); err != nil {
			t.Errorf("the next process: %v", err)
		}
		_ = b
	})
}
