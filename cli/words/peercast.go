package words

import "fmt"

// PeerCastAt says how PeerCast opens a channel: by its address at this node, and what its users put into their browser
// or player, which is their own PeerCast's.
func PeerCastAt(at, id string) string {
	return fmt.Sprintf("PeerCast  pcp://%s/%s (its users open http://localhost:7144/pls/%s?tip=%s)", at, id, id, at)
}

// What becomes of a channel at a list (YP), each a whole sentence. list is its host and port.

// Listed says that the list shows the channel.
func Listed(list string) string { return fmt.Sprintf("The list at %s shows the channel.", list) }

// ListShut says that it does, and that nobody gets through to this node at a port, as it has found.
func ListShut(list string, port uint16) string {
	return fmt.Sprintf("The list at %s shows the channel, and says that nobody gets through to port %d of this machine: forward TCP port %d in your router, and give the address with --advertise.", list, port, port)
}

// ListQuit says that the list does not take it.
func ListQuit(list string) string {
	return fmt.Sprintf("The list at %s has ended the connection. It is asked again; if it stays like that, ask who runs it whether your channel may be there.", list)
}

// ListBroken says that what answers there is no list.
func ListBroken(list string) string {
	return fmt.Sprintf("What answers at %s speaks another protocol: take the address of --yp from whoever runs the list.", list)
}

// ListAway says that it cannot be reached, and why.
func ListAway(list, why string) string {
	return fmt.Sprintf("The list at %s cannot be reached (%s). It is asked again.", list, why)
}
