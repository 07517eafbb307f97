const KEY = 'rookery-operator-name';

/** Who sits here, as he says: it stands beside what he changes. */
export function storedName(): string {
  return localStorage.getItem(KEY) ?? '';
}

export function keepName(name: string): void {
  if (name.trim() === '') localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, name.trim());
}
