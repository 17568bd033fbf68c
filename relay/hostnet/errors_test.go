package hostnet

import (
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
)

func TestATakenPortIsKnownOnEverySystem(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	again, err := net.Listen("tcp", ln.Addr().String())
	if err == nil {
		again.Close()
		t.Fatal("the port could be taken twice")
	}
	if !InUse(err) {
		t.Errorf("%v is not known for what it is", err)
	}
	windows := &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", syscall.Errno(10048))}
	if !InUse(windows) {
		t.Error("nor is what Windows says")
	}
	if InUse(errors.New("other")) || InUse(&net.OpError{Op: "listen", Err: syscall.EACCES}) {
		t.Error("another error passes for it")
	}
}

func TestWhatWindowsSaysOfConnectionsIsKnown(t *testing.T) {
	for no, want := range map[syscall.Errno][2]bool{ // the pair is in use, there is no way
		10047: {false, true}, 10048: {true, false}, 10049: {true, true}, 10051: {false, true}, 10061: {},
		syscall.EADDRINUSE: {true, false}, syscall.EADDRNOTAVAIL: {true, true}, syscall.ENETUNREACH: {false, true}, syscall.ECONNREFUSED: {},
	} {
		err := &net.OpError{Op: "dial", Err: os.NewSyscallError("connectex", no)}
		if got := [2]bool{PairInUse(err), NoWay(err)}; got != want {
			t.Errorf("%d: %v, want %v", no, got, want)
		}
	}
}
