package hostnet

import (
	"context"
	"os"
	"syscall"
	"time"
)

const (
	// groups are what the kernel is to tell of (rtnetlink(7)): links, addresses, and routes,
	// since the default route comes after the address.
	groups = 1<<0 /* RTMGRP_LINK */ | 1<<4 /* RTMGRP_IPV4_IFADDR */ | 1<<6 /* RTMGRP_IPV4_ROUTE */ |
		1<<8 /* RTMGRP_IPV6_IFADDR */ | 1<<10 /* RTMGRP_IPV6_ROUTE */
	// readPause is how long nothing is read after the system refused to.
	readPause = 10 * time.Millisecond
)

// Changes tells of interfaces that come, go or get other addresses or routes, until ctx
// ends. It is nil where the system does not tell.
func Changes(ctx context.Context) <-chan struct{} {
	fd, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, syscall.NETLINK_ROUTE)
	if err != nil {
		return nil
	}
	if err := syscall.Bind(fd, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK, Groups: groups}); err != nil {
		syscall.Close(fd)
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
