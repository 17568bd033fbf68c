package cast

import (
	"cmp"
	"context"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"relay/relay/multicast"
	"relay/relay/oneline"
)

// mDNS' group and port (RFC 6762, 3), and under which name Chromecasts are there.
var group = netip.MustParseAddr("224.0.0.251")

const (
	mdnsPort = 5353
	service  = "_googlecast._tcp.local."
	// unicastAnswer in a question's class asks for an answer to the asker alone (5.4 there).
	unicastAnswer = 1 << 15
)

const (
	// maxDevices bounds the devices that are listed, and maxPacket an answer, in bytes.
	maxDevices = 64
	maxPacket  = 9000 // 17 there
	// maxName bounds what a device calls itself, in bytes.
	maxName = 64
	// Port is where a device listens if it does not say.
	Port = 8009
)

// asks are when it is asked, from the beginning: a packet to many is lost easily on a radio.
var asks = []time.Duration{0, 200 * time.Millisecond, 800 * time.Millisecond}

// Device is a Chromecast, as one answer told of it.
type Device struct {
	Name  string // that people gave it
	Model string
	Addr  netip.AddrPort
}

// Finder looks for devices.
type Finder struct {
	For        time.Duration // how long
	Port       uint16        // to ask; that of mDNS if 0
	Interfaces []string      // to ask on; all that are up if empty
}

// Find asks on all interfaces, and returns the devices by their names. It fails if the interfaces cannot be listed.
func (f Finder) Find(ctx context.Context) ([]Device, error) {
	ctx, cancel := context.WithTimeout(ctx, f.For)
	defer cancel()
	ifs, err := multicast.Interfaces(f.Interfaces)
	if err != nil {
		return nil, err
	}
	var q dns.Msg
	q.Question = []dns.Question{{Name: service, Qtype: dns.TypePTR, Qclass: dns.ClassINET | unicastAnswer}}
	question, err := q.Pack()
	if err != nil {
		return nil, err
	}
	var (
		mu    sync.Mutex
		found = make(map[string]Device) // by name and address
		wg    sync.WaitGroup
	)
	for _, i := range ifs {
		for _, p := range i.Prefixes {
			if !p.Addr().Is4() {
				continue
			}
			conn, ask, err := multicast.From(i, p.Addr())
			if err != nil {
				continue // it has gone
			}
			if ask != nil {
				conn.Close()
				continue
			}
			context.AfterFunc(ctx, func() { conn.Close() })
			wg.Go(func() { f.ask(ctx, conn, question) }) // both end with ctx
			wg.Go(func() {
				listen(conn, func(d Device) {
					mu.Lock()
					defer mu.Unlock()
					if len(found) < maxDevices {
						found[d.Name+" "+d.Addr.String()] = d
					}
				})
			})
		}
	}
	wg.Wait()
	<-ctx.Done()
	var all []Device
	for _, at := range slices.Sorted(maps.Keys(found)) {
		all = append(all, found[at])
	}
	return all, nil
}

func (f Finder) ask(ctx context.Context, conn *net.UDPConn, question []byte) {
	begun := time.Now()
	for _, at := range asks {
		select {
		case <-time.After(time.Until(begun.Add(at))):
		case <-ctx.Done():
			return
		}
		_, _ = conn.WriteToUDPAddrPort(question, netip.AddrPortFrom(group, cmp.Or(f.Port, mdnsPort))) // asked again
	}
}

// listen reads answers until conn is closed.
func listen(conn *net.UDPConn, found func(Device)) {
	b := make([]byte, maxPacket)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return // closed; what else there may be ends this one question
		}
		for _, d := range parseAnswer(b[:n], from.Addr().Unmap()) {
			found(d)
		}
	}
}

// parseAnswer returns the devices that an answer tells of. An address is that of the record that it names, or where it
// came from: what routers pass on between networks comes from them.
func parseAnswer(b []byte, from netip.Addr) []Device {
	var m dns.Msg
	if m.Unpack(b) != nil || !m.Response {
		return nil
	}
	records := slices.Concat(m.Answer, m.Ns, m.Extra)
	var all []Device
	for _, r := range records {
		srv, ok := r.(*dns.SRV)
		instance, is := strings.CutSuffix(strings.ToLower(r.Header().Name), "."+service)
		if !ok || !is || srv.Port == 0 || len(all) == maxDevices {
			continue
		}
		d := Device{Name: oneline.Clean(instance, maxName), Addr: netip.AddrPortFrom(from, srv.Port)}
		for _, r := range records {
			switch r := r.(type) {
			case *dns.A:
				if a, ok := netip.AddrFromSlice(r.A.To4()); ok && strings.EqualFold(r.Hdr.Name, srv.Target) {
					d.Addr = netip.AddrPortFrom(a, srv.Port)
				}
			case *dns.TXT:
				if !strings.EqualFold(r.Hdr.Name, srv.Hdr.Name) {
					continue
				}
				for _, t := range r.Txt {
					if name, ok := strings.CutPrefix(t, "fn="); ok && name != "" {
						d.Name = oneline.Clean(unescaped(name), maxName)
					} else if model, ok := strings.CutPrefix(t, "md="); ok {
						d.Model = oneline.Clean(unescaped(model), maxName)
					}
				}
			}
		}
		all = append(all, d)
	}
	return all
}

// unescaped turns what the library makes of a text, \DDD for bytes beyond ASCII and \ before others, into the text.
func unescaped(s string) string {
	var b []byte
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b = append(b, s[i])
			continue
		}
		if i+3 < len(s) && digits(s[i+1:i+4]) {
			b = append(b, byte(int(s[i+1]-'0')*100+int(s[i+2]-'0')*10+int(s[i+3]-'0')))
			i += 3
			continue
		}
		i++
		b = append(b, s[i])
	}
	return string(b)
}

func digits(s string) bool { return strings.Trim(s, "0123456789") == "" }
