package cli

import (
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"

	"relay/relay/discovery"
)

// portAdmin is the default port for metrics.
const portAdmin = 7147

// portUse is one of relay's default ports as it is now.
type portUse struct {
	proto string // TCP or UDP
	port  int
	what  string // it is for
	flag  string // that sets it; "" if none does
	// shared is set of a port that several relays on one machine use at once.
	shared bool
	err    error // of opening it; nil if it is free
	owner  owner // the program that has it
}

// owner is a program that holds a port. What is not known is empty.
type owner struct {
	pid  int
	name string
}

// lookAtPorts tries relay's default ports, each as relay opens it.
func lookAtPorts(offset int) []portUse {
	all := []portUse{
		{proto: "TCP", port: portListen + offset, what: "links between nodes", flag: "listen"},
		{proto: "UDP", port: portListen + offset, what: "gossip between nodes", flag: "listen"},
		{proto: "TCP", port: portHTTP + offset, what: "players and the page", flag: "http"},
		{proto: "TCP", port: portRTMP + offset, what: "the encoder", flag: "rtmp"},
		{proto: "UDP", port: discovery.DefaultPort, what: "being found on this network", shared: true},
		{proto: "TCP", port: portAdmin + offset, what: "metrics", flag: "admin"},
	}
	for i := range all {
		p := &all[i]
		for _, host := range []string{"", "127.0.0.1"} {
			if p.err = tryPort(p.proto, net.JoinHostPort(host, strconv.Itoa(p.port))); p.err != nil {
				break
			}
		}
	}
	fillOwners(all)
	return all
}

func tryPort(proto, addr string) error {
	if proto == "UDP" {
		c, err := net.ListenPacket("udp", addr)
		if err != nil {
			return err
		}
		return c.Close()
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	return ln.Close()
}

func (m machine) checkPorts() []finding {
	f := findings{topic: "Ports"}
	for _, p := range m.ports {
		where := fmt.Sprintf("%s port %d, for %s,", p.proto, p.port, p.what)
		switch {
		case p.err == nil:
			f.fine("%s is free.", where)
		case !inUse(p.err):
			f.note("", "%s cannot be opened: %v.", where, bare(p.err))
		case isRelay(p.owner.name) || p.owner.pid != 0 && p.owner.pid == m.relayProcess():
			f.fine("%s is used by %s: relay runs.", where, p.owner)
		case p.owner.name == "" && m.running != nil:
			f.note(whoHas(m.goos, p), "%s is taken, most likely by the relay that runs here.", where)
		case p.shared && p.owner.name == "":
			f.note(whoHas(m.goos, p), "%s is taken; if it is not by relay, channels are not found by themselves, but by their links.", where)
		case p.shared:
			f.todo("End it, or give out links.", "%s is taken by %s, so channels are not found by themselves.", where, p.owner)
		case p.owner.name == "":
			f.todo(freeIt(p)+" "+whoHas(m.goos, p), "%s is taken by another program.", where)
		default:
			f.todo(freeIt(p), "%s is taken by %s.", where, p.owner)
		}
	}
	return f.all
}

// relayProcess is the number of the process that answered as a relay, 0 if none did or
// it is not known.
func (m machine) relayProcess() int {
	if m.running == nil {
		return 0
	}
	for _, p := range m.ports {
		if p.proto == "TCP" && strings.HasSuffix(m.asked, ":"+strconv.Itoa(p.port)) {
			return p.owner.pid
		}
	}
	return 0
}

// freeIt is what to do about a port that is taken.
func freeIt(p portUse) string {
	return fmt.Sprintf("End that program, or give relay another port by --%s; until then relay uses a free one, which changes from run to run.", p.flag)
}

func (o owner) String() string {
	return fmt.Sprintf("%s (process %d)", o.name, o.pid)
}

// isRelay reports whether a program is some release of this one.
func isRelay(name string) bool {
	name = strings.TrimSuffix(filepath.Base(name), ".exe")
	return name == "relay" || strings.HasPrefix(name, "relay-") // as release files are called
}

// whoHas is the command that names the program which has a port.
func whoHas(goos string, p portUse) string {
	proto := strings.ToLower(p.proto)
	switch goos {
	case "linux":
		return fmt.Sprintf("To see which: sudo ss -lnp%c 'sport = :%d'", proto[0], p.port)
	case "windows":
		return fmt.Sprintf("To see which: netstat -ano -p %s | findstr :%d, and look the number up in the Task Manager.", proto, p.port)
	}
	return fmt.Sprintf("To see which: sudo lsof -nP -i%s:%d", p.proto, p.port)
}
