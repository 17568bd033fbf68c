// Package listing is what the commands have to do with directories: it runs one, has a channel listed, and looks channels
// up.
package listing
