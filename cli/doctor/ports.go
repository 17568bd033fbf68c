package doctor

import (
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"

	"relay/cli/fault"
	"relay/relay/hostnet"
)

// Port is a port that relay opens.
type Port struct {
	Proto  string // TCP or UDP
	Number int
	What   string // what the port is for
	Flag   string // the flag that sets it; "" if none does
	Shared bool   // several relays on one machine may use it at once
	Asked  bool   // relay opens it with that flag alone
}

// portUse is a port and its present use.
type portUse struct {
	Port
	err   error // of opening it; nil if it is free
	owner owner // the program that holds it
}

// owner is a program that holds a port. Unknown fields are empty.
type owner struct {
	pid  int
	name string
}

// lookAtPorts tries to open ports, each in the way that relay opens it.
func lookAtPorts(ports []Port) []portUse {
	all := make([]portUse, len(ports))
	for i, p := range ports {
		all[i].Port = p
	}
	for i := range all {
		p := &all[i]
		for _, host := range []string{"", "127.0.0.1"} {
			if p.err = tryPort(p.Proto, net.JoinHostPort(host, strconv.Itoa(p.Number))); p.err != nil {
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

func (m machine) checkPorts() []Finding {
	f := findings{topic: "Ports"}
	for _, p := range m.ports {
		where := fmt.Sprintf("%s port %d, for %s,", p.Proto, p.Number, p.What)
		switch {
		case p.err == nil:
			f.fine("%s is free.", where)
		case !hostnet.InUse(p.err):
			f.note("", "%s cannot be opened: %s.", where, fault.Plain(p.err))
		case isRelay(p.owner.name) || p.owner.pid != 0 && p.owner.pid == m.relayProcess():
			f.fine("%s is used by %s: relay runs.", where, p.owner)
		case p.owner.name == "" && m.running != nil:
			f.note(whoHas(m.goos, p), "%s is taken, most likely by the relay that runs here.", where)
		case p.Asked && p.owner.name == "":
			f.note(fmt.Sprintf("It matters with --%s alone, which needs another port then.", p.Flag)+" "+whoHas(m.goos, p), "%s is taken by another program.", where)
		case p.Asked:
			f.note(fmt.Sprintf("It matters with --%s alone, which needs another port then.", p.Flag), "%s is taken by %s.", where, p.owner)
		case p.Shared && p.owner.name == "":
			f.note(whoHas(m.goos, p), "%s is taken; if it is not by relay, channels are not found by themselves, but by their links.", where)
		case p.Shared:
			f.todo("End it, or give out links.", "%s is taken by %s, so channels are not found by themselves.", where, p.owner)
		case p.owner.name == "":
			f.todo(freeIt(p)+" "+whoHas(m.goos, p), "%s is taken by another program.", where)
		default:
			f.todo(freeIt(p), "%s is taken by %s.", where, p.owner)
		}
	}
	return f.all
}

// relayProcess returns the ID of the process that answered as a relay, 0 if no relay answered
// or the ID is not known.
func (m machine) relayProcess() int {
	if m.running == nil {
		return 0
	}
	for _, p := range m.ports {
		if p.Proto == "TCP" && strings.HasSuffix(m.asked, ":"+strconv.Itoa(p.Number)) {
			return p.owner.pid
		}
	}
	return 0
}

// freeIt says what to do about a port that is taken.
func freeIt(p portUse) string {
	return fmt.Sprintf("End that program, or give relay another port by --%s; until then relay uses a free one, which changes from run to run.", p.Flag)
}

func (o owner) String() string {
	return fmt.Sprintf("%s (process %d)", o.name, o.pid)
}

// isRelay reports whether a program is some release of relay.
func isRelay(name string) bool {
	name = strings.TrimSuffix(filepath.Base(name), ".exe")
	return name == "relay" || strings.HasPrefix(name, "relay-") // the names of release files
}

// whoHas returns a command that names the program that holds a port.
func whoHas(goos string, p portUse) string {
	proto := strings.ToLower(p.Proto)
	switch goos {
	case "linux":
		return fmt.Sprintf("To see which: sudo ss -lnp%c 'sport = :%d'", proto[0], p.Number)
	case "windows":
		return fmt.Sprintf("To see which: netstat -ano -p %s | findstr :%d, and look the number up in the Task Manager.", proto, p.Number)
	}
	return fmt.Sprintf("To see which: sudo lsof -nP -i%s:%d", p.Proto, p.Number)
}
