-- What one reading command replies: its name, the key, the rest.
return {'done', call(unpack(ARGV, 2))}
