//go:build e2e && linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"

	"relay/ingest/flv"
)

// loop is the bare loop: the least that a server has to do. It writes each tag to each viewer's
// socket as it comes, one system call for each, in one goroutine. It keeps nothing, so a viewer
// that takes nothing stops all.
type loop struct {
	mu      sync.Mutex
	header  flv.Header
	viewers []net.Conn
}

// serveLoop takes FLV from one publisher and sends it to all who ask over HTTP, until the
// publisher has gone. It writes the addresses for publisher and viewers to out, on a line.
func serveLoop(out io.Writer) error {
	in, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	play, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, in.Addr(), play.Addr()); err != nil {
		return err
	}
	publisher, err := in.Accept()
	if err != nil {
		return err
	}
	l := &loop{}
	go l.accept(play) // ends with the process
	for r := flv.NewReader(publisher); ; {
		t, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		l.send(t)
	}
}

// send writes a tag to all viewers. Those that have gone are forgotten.
func (l *loop) send(t flv.Tag) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.header.Add(t, flv.Classify(t))
	l.viewers = slices.DeleteFunc(l.viewers, func(v net.Conn) bool {
		_, err := v.Write(t)
		if err != nil {
			v.Close()
		}
		return err != nil
	})
}

func (l *loop) accept(play net.Listener) {
	for {
		conn, err := play.Accept()
		if err != nil {
			return
		}
		go l.welcome(conn) // ends when the viewer has asked
	}
}

// welcome answers any request with the stream, from the next tag on.
func (l *loop) welcome(conn net.Conn) {
	for s := bufio.NewScanner(conn); s.Scan() && s.Text() != ""; {
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	head := "HTTP/1.1 200 OK\r\nContent-Type: video/x-flv\r\nConnection: close\r\n\r\n"
	if _, err := conn.Write(append([]byte(head), l.header.Payload()...)); err != nil {
		conn.Close()
		return
	}
	l.viewers = append(l.viewers, conn)
}
