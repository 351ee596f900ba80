// Pictures that are put into a question: pasted, dropped or from a file, as `data:` addresses.

import type { Picture } from "./chat";

/** What models look at. */
export const kinds = ["image/png", "image/jpeg", "image/webp", "image/gif", "image/heic", "image/heif"];
/** Larger ones are refused by providers, or cost more than they show. */
export const largest = 10 * 1024 * 1024;

export function isPicture(file: File): boolean {
  return kinds.includes(file.type) && file.size <= largest;
}

export function readPicture(file: File): Promise<Picture> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve({ uri: String(reader.result) });
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
