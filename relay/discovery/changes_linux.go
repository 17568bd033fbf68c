package discovery

import (
	"context"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// changes tells of interfaces that come, go or get other addresses, until ctx ends. It
// is nil where the system does not tell.
func changes(ctx context.Context) <-chan struct{} {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil
	}
	const groups = unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		unix.Close(fd)
		return nil
	}
	f := os.NewFile(uintptr(fd), "interface changes")
	context.AfterFunc(ctx, func() { f.Close() })
	changed := make(chan struct{}, 1)
	go func() { // ends with ctx, which closes the file
		b := make([]byte, 4096) // what it says is looked up anyway
		for {
			if _, err := f.Read(b); err != nil {
				if ctx.Err() != nil {
					return
				}
				time.Sleep(readPause) // there was too much to tell
			}
			select {
			case changed <- struct{}{}:
			default:
			}
		}
	}()
	return changed
}
