// Package directory is a list of channels that anyone can host, and what broadcasters and viewers have to do with it. It
// only finds addresses: whoever answers there is checked as ever.
//
//   - [Sign] makes an announcement, which only the channel's key can make; [Announcer] keeps one on a list.
//   - [Server] takes announcements, dials back, and shows the list: as a page, JSON, Atom, and PeerCast's index.txt. It
//     mirrors other lists, and announcers turn to its mirrors while it is gone: taking one down takes nothing away.
//   - [Client] reads lists, and verifies what it reads.
//
// design.md has the bytes, the rules and the bounds.
package directory
