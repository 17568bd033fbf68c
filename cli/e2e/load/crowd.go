//go:build e2e && linux

package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// readSize is what a viewer takes with one system call, in bytes: more than a server writes
	// at once.
	readSize = 128 << 10
	// tick is how often the crowd looks how late it comes.
	tick = 5 * time.Millisecond
	// wakeups is how many viewers are told of at once.
	wakeups = 256
)

// crowd is viewers of one server, read by one goroutine on a thread of its own: a goroutine
// for each viewer would cost more than many a server. It is a third of the work of reading that
// the system acknowledges what comes at once; to have that put off (TCP_QUICKACK) would make
// servers wait that use Nagle's algorithm, such as nginx-rtmp, for 40 ms.
//
// What others read, who do more than read, is given to [crowd.take]: HLS players and children.
type crowd struct {
	sent  *history
	bytes atomic.Uint64 // that viewers have read
	begun atomic.Int64  // viewers that have a tag

	epoll, timer, wake int
	do                 chan func()   // run by the goroutine
	due                time.Duration // of the first tick
	stopped            chan struct{}

	// The rest belongs to the goroutine.
	viewers  []*viewer       // nil where one has left
	from, to int             // numbers of the tags whose delays are kept
	delays   []time.Duration // of each tag and viewer
	late     []time.Duration // how late each tick was noticed
	firsts   []time.Duration // from a guest's request to its first tag
	left     flaws           // of viewers that have left
	err      error           // the first
}

// viewer is one connection of the crowd, or somebody who reads for itself.
type viewer struct {
	fd    int // -1 if it reads for itself
	id    int // its place in viewers
	parse parser
	check *check
	ended bool
	guest time.Duration // when it asked, of one who comes while others are measured; 0 for others
}

const (
	timerID = math.MaxInt32
	wakeID  = math.MaxInt32 - 1
)

// openCrowd starts a crowd without viewers. The caller closes it.
func openCrowd(h *history) (*crowd, error) {
	c := &crowd{sent: h, do: make(chan func(), 1), stopped: make(chan struct{}), from: math.MaxInt, to: math.MaxInt}
	var err error
	if c.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	if c.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK); err != nil {
		return nil, err
	}
	if c.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return nil, err
	}
	every := unix.NsecToTimespec(int64(tick))
	c.due = now() + tick
	if err := unix.TimerfdSettime(c.timer, 0, &unix.ItimerSpec{Interval: every, Value: every}, nil); err != nil {
		return nil, err
	}
	for id, fd := range map[int]int{timerID: c.timer, wakeID: c.wake} {
		if err := c.watch(fd, id); err != nil {
			return nil, err
		}
	}
	go c.run() // close ends it
	return c, nil
}

func (c *crowd) watch(fd, id int) error {
	return unix.EpollCtl(c.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(id)})
}

// call has the crowd's goroutine run f, and waits for that.
func (c *crowd) call(f func()) {
	var done sync.WaitGroup
	done.Add(1)
	c.do <- func() { f(); done.Done() }
	one := binary.NativeEndian.AppendUint64(nil, 1)
	_, _ = unix.Write(c.wake, one) // it fails only if it would wake the crowd already
	done.Wait()
}

// add lets a viewer in, whose connection the crowd closes.
func (c *crowd) add(v *viewer) error {
	var err error
	c.call(func() {
		v.id = len(c.viewers)
		c.viewers = append(c.viewers, v)
		if v.check.begun { // a tag came with the answer
			c.begins(v, now())
		}
		if v.fd < 0 {
			return
		}
		if err = unix.SetNonblock(v.fd, true); err == nil {
			err = c.watch(v.fd, v.id)
		}
	})
	return err
}

// drop has a viewer leave in the midst of things.
func (c *crowd) drop(v *viewer) {
	c.call(func() {
		c.viewers[v.id] = nil
		c.left.add(v.check.flaws)
		unix.Close(v.fd) // epoll forgets it
	})
}

// fed takes what a viewer has read for itself.
func (c *crowd) fed(v *viewer, p []byte, at time.Duration) {
	c.bytes.Add(uint64(len(p)))
	c.call(func() { c.take(v, p, at) })
}

// close ends the goroutine and closes all connections.
func (c *crowd) close() {
	c.call(func() { close(c.stopped) })
	for _, v := range c.viewers {
		if v != nil && v.fd >= 0 {
			unix.Close(v.fd)
		}
	}
	for _, fd := range []int{c.epoll, c.timer, c.wake} {
		unix.Close(fd)
	}
}

// run reads until close.
func (c *crowd) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	events, buf := make([]unix.EpollEvent, wakeups), make([]byte, readSize)
	expected := c.due
	for {
		select {
		case <-c.stopped:
			return
		default:
		}
		n, err := unix.EpollWait(c.epoll, events, -1)
		if err != nil && err != unix.EINTR {
			panic(err) // there is no other way to fail that is no mistake here
		}
		for _, e := range events[:max(n, 0)] {
			switch id := int(e.Fd); id {
			case timerID:
				if _, err := unix.Read(c.timer, buf[:8]); err == nil {
					expected = c.ticked(expected, int(binary.NativeEndian.Uint64(buf)))
				}
			case wakeID:
				_, _ = unix.Read(c.wake, buf[:8])
				for more := true; more; {
					select {
					case f := <-c.do:
						f()
					default:
						more = false
					}
				}
			default:
				if v := c.viewers[id]; v != nil {
					c.read(v, buf)
				}
			}
		}
	}
}

// ticked notes how late n ticks have been noticed, of which the first was due at due. It returns
// when the next one is.
func (c *crowd) ticked(due time.Duration, n int) time.Duration {
	if c.from != math.MaxInt && c.to == math.MaxInt {
		c.late = append(c.late, now()-due)
	}
	return due + time.Duration(n)*tick
}

// read takes what has come for a viewer.
func (c *crowd) read(v *viewer, buf []byte) {
	// It does not block, so the runtime need not know.
	n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(v.fd), uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)))
	at := now()
	switch {
	case errno == unix.EAGAIN, errno == unix.EINTR:
		return
	case errno != 0:
		c.end(v, errno)
		return
	case n == 0:
		c.end(v, fmt.Errorf("the server has closed a viewer's connection"))
		return
	}
	c.bytes.Add(uint64(n))
	c.take(v, buf[:n], at)
}

// take looks at what a viewer has read until a moment.
func (c *crowd) take(v *viewer, p []byte, at time.Duration) {
	begun := v.check.begun
	if err := v.parse.feed(p, func(number int) {
		if number >= c.from && number < c.to && v.guest == 0 {
			c.delays = append(c.delays, at-c.sent.tags[number].at)
		}
	}); err != nil {
		c.end(v, err)
	}
	if v.check.begun && !begun {
		c.begins(v, at)
	}
}

// begins notes that a viewer has its first tag.
func (c *crowd) begins(v *viewer, at time.Duration) {
	c.begun.Add(1)
	if v.guest > 0 {
		c.firsts = append(c.firsts, at-v.guest)
	}
}

// end stops reading a viewer.
func (c *crowd) end(v *viewer, err error) {
	if !v.ended {
		v.ended = true
		if v.fd >= 0 {
			unix.EpollCtl(c.epoll, unix.EPOLL_CTL_DEL, v.fd, nil)
		}
		c.fail(err)
	}
}

func (c *crowd) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// failure is why a viewer has ended, nil if none has.
func (c *crowd) failure() (err error) {
	c.call(func() { err = c.err })
	return err
}

// keep has the delays of the tags from number on kept. The second call ends that in front of number.
func (c *crowd) keep(number int) {
	c.call(func() {
		if c.from == math.MaxInt {
			c.from = number
			return
		}
		c.to = number
	})
}

// has reports whether every viewer has got the tags before number to, or has ended.
func (c *crowd) has(to int) (all bool) {
	c.call(func() {
		all = true
		for _, v := range c.viewers {
			all = all && (v == nil || v.ended || v.guest > 0 || v.check.reached(to))
		}
	})
	return all
}

// verdict returns what was wrong with the tags from number from up to, and without, number to,
// and with all that came before.
func (c *crowd) verdict(from, to int) (f flaws) {
	c.call(func() {
		f = c.left
		for _, v := range c.viewers {
			if v != nil && v.guest == 0 {
				f.add(v.check.verdict(from, to))
			}
		}
	})
	return f
}
