/** A runner that dies before it serves anything. */
self.close();
