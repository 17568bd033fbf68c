package flag

import (
	"net/url"
	"strings"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
	"relay/playback/directory"
)

// mostDirectories bounds the directories of one command: each is asked.
const mostDirectories = 16

// Announcing returns the flags by which a source has itself listed.
func Announcing() []cli.Flag {
	return []cli.Flag{
		List("announce", "`URL` of a directory (relay directory) that lists the channel for everybody, as in https://dir.example/"),
	}
}

// ReadAnnouncing returns where the channel is to be listed, and what is said of it.
func ReadAnnouncing(c *cli.Context) (to []*url.URL, says directory.Announcement, err error) {
	if to, err = addresses(c, "announce"); err != nil {
		return nil, says, err
	}
	says = directory.Announcement{Genre: c.String("genre"), Description: c.String("description"), Comment: c.String("comment"), URL: c.String("contact")}
	if len(to) > 0 && says.URL != "" && directory.WebAddress(says.URL) == "" {
		return nil, says, fault.Usage("as in https://example.org/tonight, and not longer than 200 characters", "--contact %q is no address of a page", says.URL)
	}
	return to, says, nil
}

// Directories is the flag for the directories that are asked.
func Directories() cli.Flag {
	return List("directory", "`URL` of a directory to ask for channels, or of an index.txt of PeerCast's")
}

// Looking returns the flags by which relay list looks into directories, too.
func Looking() []cli.Flag {
	return []cli.Flag{Directories(), Text("search", "`WORDS` that channels in directories have in their title, genre or description"), Config()}
}

// ReadDirectories returns the values of Directories.
func ReadDirectories(c *cli.Context) ([]*url.URL, error) { return addresses(c, "directory") }

// Mirrors returns the values of --mirror.
func Mirrors(c *cli.Context) ([]*url.URL, error) { return addresses(c, "mirror") }

// MirroredAt returns the values of --mirrored-at.
func MirroredAt(c *cli.Context) ([]*url.URL, error) { return addresses(c, "mirrored-at") }

// addresses reads a flag that names directories.
func addresses(c *cli.Context, name string) (all []*url.URL, err error) {
	for _, v := range c.StringSlice(name) {
		for s := range strings.SplitSeq(v, ",") {
			s = strings.TrimSpace(s)
			u, err := url.Parse(s)
			if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" {
				return nil, fault.Usage("as in https://dir.example/", "--%s %q is no address of a directory", name, s)
			}
			all = append(all, u)
		}
	}
	if len(all) > mostDirectories {
		return nil, fault.Usage("", "--%s names %d directories, %d at most are possible", name, len(all), mostDirectories)
	}
	return all, nil
}
